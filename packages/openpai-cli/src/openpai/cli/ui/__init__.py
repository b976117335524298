"""Output for people: tables, progress, plots, live screens."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.cli.ui.bars import bar as bar
    from openpai.cli.ui.console import Console as Console, escape_control as escape_control
    from openpai.cli.ui.live import watch as watch
    from openpai.cli.ui.output import (
        cell_text as cell_text,
        emit as emit,
        table_lines as table_lines,
    )
    from openpai.cli.ui.plot import (
        bar_chart as bar_chart,
        is_number as is_number,
        panels as panels,
        points_of as points_of,
    )
    from openpai.cli.ui.plot_file import check_file as check_file, write_plot as write_plot
    from openpai.cli.ui.progress import Progress as Progress
    from openpai.cli.ui.times import ago as ago, parse_moment as parse_moment
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "bars": ["bar"],
            "console": ["Console", "escape_control"],
            "live": ["watch"],
            "output": ["cell_text", "emit", "table_lines"],
            "plot": ["bar_chart", "is_number", "panels", "points_of"],
            "plot_file": ["check_file", "write_plot"],
            "progress": ["Progress"],
            "times": ["ago", "parse_moment"],
        },
    )
