"""Options of commands, made from the table of settings (bench.base.settings)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from bench.base.settings import SETTINGS, Option, Setting
from bench.base.values import Choice, Flag, Whole

Command = Callable[..., int]

_WORDS = "tierlab.command"


class CommandWithWords(click.Command):
    """A command that takes the words behind `--` as a command for the guest.

    words_given() gives them; click would take them for arguments of its own.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words back."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_WORDS] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show the words in the usage."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


def words_given() -> tuple[str, ...] | None:
    """The words behind `--` of the command that runs; None without `--`."""
    found: tuple[str, ...] | None = click.get_current_context().meta.get(_WORDS)
    return found


class SettingType(click.ParamType):
    """A setting as click's type; its refusals read the same as in a suite file."""

    def __init__(self, setting: Setting) -> None:
        self.name = setting.metavar or setting.name
        self.setting = setting

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """The value of a word on the command line; click passes defaults as values."""
        if not isinstance(value, str):
            return value
        return self.setting.values.read(value, self.setting.option)


def setting_options(command: str) -> Callable[[Command], Command]:
    """Give a command the options that the table of settings lists for the command.

    Setting.parameter() names the parameter of the command's function for each option.
    """

    def decorate(function: Command) -> Command:
        for setting in reversed(SETTINGS):
            if command in setting.commands:
                function = _decorator(setting, command)(function)
        return function

    return decorate


def _decorator(setting: Setting, command: str) -> Callable[[Command], Command]:
    use = setting.commands[command]
    parameter = setting.parameter(command)
    if use.positional:
        required = not (use.default or use.usual)
        return click.argument(parameter, default=use.default, required=required)
    if isinstance(setting.values, Flag):
        return click.option(
            f"{setting.option}/--no-{setting.name}",
            parameter,
            is_flag=True,
            default=None,
            help=_help(setting, use),
        )
    return click.option(
        setting.option,
        parameter,
        type=SettingType(setting),
        multiple=use.several,
        default=use.default,
        metavar=setting.metavar,
        help=_help(setting, use),
    )


def _help(setting: Setting, use: Option) -> str:
    """An option's help: the meaning, the range or the choices, and the default."""
    parts = [use.help or setting.help]
    if isinstance(setting.values, Whole):
        parts.append(f"from {setting.values.shown}")
    if isinstance(setting.values, Choice):
        parts.append(setting.values.wanted)
    if use.several:
        parts.append("repeatable")
    shown = default_text(use)
    if shown:
        parts.append(f"default: {shown}")
    return "; ".join(parts) + "."


def default_text(use: Option) -> str:
    """The option's default as help shows it; "" if there is no default to show."""
    if use.usual:
        return use.usual
    if isinstance(use.default, tuple):
        return ", ".join(use.default)
    if isinstance(use.default, float):
        return f"{use.default:g}"
    return "" if use.default is None else str(use.default)
