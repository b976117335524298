"""Configuration of the user on this machine: clusters, credentials, defaults, storages."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.config.clusters import (
        ClusterEntry as ClusterEntry,
        delete_cluster as delete_cluster,
        find_cluster as find_cluster,
        load_clusters as load_clusters,
        save_cluster as save_cluster,
        select_cluster as select_cluster,
        store_token as store_token,
    )
    from openpai.core.config.defaults import (
        KEYS as KEYS,
        Defaults as Defaults,
        default_for_user as default_for_user,
        load_defaults as load_defaults,
        load_layers as load_layers,
        set_default as set_default,
        unset_default as unset_default,
    )
    from openpai.core.config.files import read_yaml as read_yaml, update_yaml as update_yaml
    from openpai.core.config.storages import (
        attach_storage as attach_storage,
        attached_storages as attached_storages,
        detach_storage as detach_storage,
        mounts_of_environment as mounts_of_environment,
        with_secrets as with_secrets,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "clusters": [
                "ClusterEntry",
                "delete_cluster",
                "find_cluster",
                "load_clusters",
                "save_cluster",
                "select_cluster",
                "store_token",
            ],
            "defaults": [
                "Defaults",
                "KEYS",
                "default_for_user",
                "load_defaults",
                "load_layers",
                "set_default",
                "unset_default",
            ],
            "files": ["read_yaml", "update_yaml"],
            "storages": [
                "attach_storage",
                "attached_storages",
                "detach_storage",
                "mounts_of_environment",
                "with_secrets",
            ],
        },
    )
