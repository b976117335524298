"""PAI's job protocol: what a job may say, what the server makes of it, and what each task runs."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.protocol.bootstrap import (
        add_bootstrap as add_bootstrap,
        without_bootstrap as without_bootstrap,
    )
    from openpai.core.protocol.command_job import (
        command_line as command_line,
        default_name as default_name,
        job_from_command as job_from_command,
        quote_word as quote_word,
        random_letters as random_letters,
    )
    from openpai.core.protocol.diff import changes as changes
    from openpai.core.protocol.edits import parse_update as parse_update
    from openpai.core.protocol.job import Job as Job
    from openpai.core.protocol.job_spec import (
        JobSpec as JobSpec,
        Option as Option,
        option_field as option_field,
    )
    from openpai.core.protocol.job_values import expand_name as expand_name
    from openpai.core.protocol.job_yaml import dump_yaml as dump_yaml, load_yaml as load_yaml
    from openpai.core.protocol.js import Timestamp as Timestamp
    from openpai.core.protocol.messages import schema_findings as schema_findings
    from openpai.core.protocol.names import convert_name as convert_name, encode_name as encode_name
    from openpai.core.protocol.plugins import (
        plugin_commands as plugin_commands,
        role_plugins as role_plugins,
    )
    from openpai.core.protocol.references import resolve_references as resolve_references
    from openpai.core.protocol.roles import instances as instances, task_roles as task_roles
    from openpai.core.protocol.runtime_checks import (
        validate_runtime_section as validate_runtime_section,
    )
    from openpai.core.protocol.runtime_parts import (
        EVENTS as EVENTS,
        NEEDED as NEEDED,
        SIGNALS as SIGNALS,
        Callback as Callback,
        Code as Code,
        Git as Git,
        Mount as Mount,
        Output as Output,
        Retry as Retry,
        Tensorboard as Tensorboard,
    )
    from openpai.core.protocol.runtime_section import (
        SECTION_KEY as SECTION_KEY,
        RuntimeSection as RuntimeSection,
        raw_section as raw_section,
        secret_value as secret_value,
    )
    from openpai.core.protocol.schema import (
        Schema as Schema,
        can_validate as can_validate,
        editor_schema as editor_schema,
        job_schema as job_schema,
    )
    from openpai.core.protocol.secrets import mask_secrets as mask_secrets
    from openpai.core.protocol.templates import (
        fill_parameters as fill_parameters,
        render_job as render_job,
        render_secrets as render_secrets,
    )
    from openpai.core.protocol.v1 import convert_v1 as convert_v1
    from openpai.core.protocol.validation import (
        FileVerdict as FileVerdict,
        check_file as check_file,
        check_text as check_text,
        render_file as render_file,
        server_verdict as server_verdict,
    )
    from openpai.core.protocol.yaml_errors import YamlError as YamlError
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "bootstrap": ["add_bootstrap", "without_bootstrap"],
            "command_job": [
                "command_line",
                "default_name",
                "job_from_command",
                "quote_word",
                "random_letters",
            ],
            "diff": ["changes"],
            "edits": ["parse_update"],
            "job": ["Job"],
            "job_spec": ["JobSpec", "Option", "option_field"],
            "job_values": ["expand_name"],
            "job_yaml": ["dump_yaml", "load_yaml"],
            "js": ["Timestamp"],
            "messages": ["schema_findings"],
            "names": ["convert_name", "encode_name"],
            "plugins": ["plugin_commands", "role_plugins"],
            "references": ["resolve_references"],
            "roles": ["instances", "task_roles"],
            "runtime_checks": ["validate_runtime_section"],
            "runtime_parts": [
                "Callback",
                "Code",
                "EVENTS",
                "Git",
                "Mount",
                "NEEDED",
                "Output",
                "Retry",
                "SIGNALS",
                "Tensorboard",
            ],
            "runtime_section": ["RuntimeSection", "SECTION_KEY", "raw_section", "secret_value"],
            "schema": ["Schema", "can_validate", "editor_schema", "job_schema"],
            "secrets": ["mask_secrets"],
            "templates": ["fill_parameters", "render_job", "render_secrets"],
            "v1": ["convert_v1"],
            "validation": [
                "FileVerdict",
                "check_file",
                "check_text",
                "render_file",
                "server_verdict",
            ],
            "yaml_errors": ["YamlError"],
        },
    )
