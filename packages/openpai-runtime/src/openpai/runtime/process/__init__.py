"""Start, signal and reap processes."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.process.command import (
        Command as Command,
        active_environ as active_environ,
        run_command as run_command,
    )
    from openpai.runtime.process.event_loop import EventLoop as EventLoop
    from openpai.runtime.process.spawn import (
        call_in_child as call_in_child,
        shell as shell,
        signal_group as signal_group,
        start as start,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "command": ["Command", "active_environ", "run_command"],
            "event_loop": ["EventLoop"],
            "spawn": ["call_in_child", "shell", "signal_group", "start"],
        },
    )
