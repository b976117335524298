"""Files over an object store: S3, Azure Blob."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.storage.object_store.bucket import (
        MIB as MIB,
        Bucket as Bucket,
        ObjectInfo as ObjectInfo,
        ObjectStream as ObjectStream,
        Parts as Parts,
        object_stream as object_stream,
    )
    from openpai.storage.object_store.storage import ObjectStorage as ObjectStorage
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "bucket": ["Bucket", "MIB", "ObjectInfo", "ObjectStream", "Parts", "object_stream"],
            "storage": ["ObjectStorage"],
        },
    )
