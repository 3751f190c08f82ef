"""Each setting is in all places that the table of settings lists, with equal values."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

import click
import pytest

from analysis.schema import SWITCHES as analysis_switches
from analysis.schema import definition
from bench.base.errors import USAGE, TierlabError
from bench.base.settings import SETTINGS, SWITCHES, Setting, Shared, setting, span
from bench.base.values import Choice, Flag, Whole
from bench.cli.main import cli
from bench.cli.options import SettingType
from bench.engines.base import BootRequest, Switches
from bench.guests import description
from bench.guests.guest import Guest
from bench.harness.run.boot import Boot, run_boot
from bench.harness.snapshots.file import Facts
from bench.harness.suites.suite import (
    Known,
    Suite,
    check_names,
    override,
    read_suite,
)
from bench.page.describe import describe
from bench.testing.fakes import FakeEngine

NUMBERS = [one for one in SETTINGS if isinstance(one.values, Whole)]
WORDS = [one for one in SETTINGS if isinstance(one.values, Choice)]


def ids(one: Setting) -> str:
    return one.name


def in_page() -> dict[str, dict[str, Any]]:
    """The page's controls by the settings' names."""
    told = describe([], {}, {"policies": []}, {}, {})
    return {row["name"]: row for row in told["settings"]}


def chosen(one: Setting, value: Any) -> Suite:
    """A suite in which the command line names the setting."""
    given: dict[str, Any] = {one.suite_key: value}
    return override(Suite(), **given)


def parameters(command: str) -> dict[str, click.Parameter]:
    found = cli.commands[command]
    return {str(parameter.name): parameter for parameter in found.params}


def test_names_and_keys_are_unique() -> None:
    for names in (
        [one.name for one in SETTINGS],
        [one.key for one in SETTINGS],
        [one.result for one in SETTINGS if one.result],
        [one.suite_key for one in SETTINGS if one.suite],
    ):
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("one", SETTINGS, ids=ids)
def test_commands_have_the_options_of_the_table(one: Setting) -> None:
    for command, use in one.commands.items():
        parameter = parameters(command)[one.parameter(command)]
        if use.positional:
            assert isinstance(parameter, click.Argument)
            continue
        assert isinstance(parameter, click.Option)
        assert parameter.opts == [one.option]
        assert parameter.multiple == use.several
        assert parameter.help and (use.help or one.help) in parameter.help
        if isinstance(one.values, Flag):
            assert parameter.is_flag
        else:
            assert isinstance(parameter.type, SettingType)
            assert parameter.type.setting is one


def test_no_command_declares_a_setting_itself() -> None:
    options = {one.option: one for one in SETTINGS}
    for command, found in cli.commands.items():
        for parameter in found.params:
            for option in parameter.opts:
                if option in options:
                    assert command in options[option].commands, (command, option)


def test_suites_have_the_keys_of_the_table() -> None:
    keys = {one.suite_key: one for one in SETTINGS if one.suite}
    own = {field.name: field for field in fields(Suite)}
    assert own.keys() == keys.keys() | {"command", "targets", "title", "purpose"}
    for key, one in keys.items():
        assert one.suite is not None
        assert own[key].default == one.suite.default, key


def test_what_boots_of_a_comparison_share_is_in_the_table() -> None:
    single = {
        one.key
        for one in SETTINGS
        if one.suite and not one.suite.several and one.boot.startswith("request.")
    }
    names = {field.name for field in fields(Shared)}
    assert names == single - {one.key for one in SWITCHES}
    assert names <= {field.name for field in fields(BootRequest)}


def test_switches_are_those_of_the_table() -> None:
    assert [field.name for field in fields(Switches)] == [one.key for one in SWITCHES]
    given = Switches(*(f"value{n}" for n in range(len(SWITCHES))))
    assert list(given.environment()) == [one.variable for one in SWITCHES]
    assert given.words()[0] == f"{SWITCHES[0].key}=value0"


def test_a_result_has_every_setting(guest: Guest, fake: FakeEngine) -> None:
    request = BootRequest(guest, tier="never", smp=2, engine_flags=("-f",))
    boot = Boot(fake, request, {}, 30.0)
    config = run_boot(boot, {})["config"]
    for one in SETTINGS:
        if one.boot or one.result:
            value = attrgetter(one.boot)(boot)
            assert config[one.result] == (list(value) if one.listed else value)


def test_the_schema_of_results_has_every_setting() -> None:
    properties = definition("settings")["properties"]
    assert list(properties) == [one.result for one in SETTINGS if one.result]
    assert analysis_switches == tuple(one.result for one in SWITCHES)
    keys = [one.suite_key for one in SETTINGS if one.suite]
    assert [key for key in definition("suite")["properties"] if key in keys] == keys


def test_saved_machines_have_what_the_machine_is() -> None:
    names = {field.name for field in fields(Facts)}
    assert {one.key for one in SETTINGS if one.machine} <= names


def test_the_page_has_the_controls_of_the_table() -> None:
    rows = in_page()
    assert list(rows) == [one.name for one in SETTINGS if one.page]
    for name, row in rows.items():
        one = setting(name)
        assert one.page is not None
        shown = (row["label"], row["default"], row["meaning"], row["key"])
        assert shown == (one.page.label, one.page.default, one.help, one.key)
        # The guest has the default of a setting without one here; and a result has
        # each setting under the same key.
        if row["default"] is None:
            assert one.key in {field.name for field in fields(Guest)}
        assert one.result == one.key
    template = describe([], {}, {"policies": []}, {}, {})["config"]
    assert list(template) == [one.result for one in SETTINGS if one.result]


@pytest.mark.parametrize("one", NUMBERS, ids=ids)
def test_ranges_are_the_same_everywhere(one: Setting, tmp_path: Path) -> None:
    low, high = span(one.name)
    option = SettingType(one)
    path = tmp_path / "suite.toml"
    for value in (low, high):
        assert option.convert(str(value), None, None) == value
        assert getattr(chosen(one, value), one.key) == value
        path.write_text(f"{one.suite_key} = {value}\n")
        assert getattr(read_suite(path), one.key) == value
    for value in (low - 1, high + 1):
        path.write_text(f"{one.suite_key} = {value}\n")
        said = []
        for attempt in (
            lambda v: option.convert(str(v), None, None),
            lambda v: chosen(one, v),
            lambda _: read_suite(path),
        ):
            with pytest.raises(TierlabError) as caught:
                attempt(value)
            assert caught.value.status == USAGE
            said.append(caught.value.line().partition(": ")[2])
        assert len(set(said)) == 1
        assert said[0] == f"{value} will not do: give {one.values.wanted}"
    if one.page:
        row = in_page()[one.name]
        assert (row["type"], row["min"], row["max"]) == ("u64", low, high)


@pytest.mark.parametrize("one", WORDS, ids=ids)
def test_words_are_the_same_everywhere(one: Setting) -> None:
    assert isinstance(one.values, Choice)
    known = Known(Suite().guests, Suite().engines)
    for name in one.values.names:
        assert SettingType(one).convert(name, None, None) == name
        check_names(chosen(one, (name,)), known)
    said = []
    for attempt in (
        lambda: SettingType(one).convert("nonsense", None, None),
        lambda: check_names(chosen(one, ("nonsense",)), known),
    ):
        with pytest.raises(TierlabError) as caught:
            attempt()
        said.append(caught.value.line().removeprefix(f"{one.option}: "))
    assert said[0] == said[1]
    if one.page:
        row = in_page()[one.name]
        assert (row["type"], row["choices"]) == ("enum", list(one.values.names))


def test_the_greatest_memory_is_what_qemu_takes_on_wasm32() -> None:
    # QEMU says of a 32-bit host: "at most 2047 MB RAM can be simulated".
    assert span("memory")[1] == description.MAX_MEMORY == 2047
    assert in_page()["memory"]["max"] == 2047
    for name in ("smp", "memory"):
        assert setting(name).page is not None


def test_described_guests_have_the_limits_of_the_table() -> None:
    assert (description.MIN_SMP, description.MAX_SMP) == span("smp")
