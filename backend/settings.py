# SPDX-License-Identifier: GPL-3.0-or-later
"""Frozen dataclasses from and to plain values (JSON, TOML), strictly: what does not fit is refused by its name."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal, TypeVar

T = TypeVar("T")


class SettingsError(ValueError):
    """A plain value is not what a dataclass asks for."""


def to_plain(value: Any) -> Any:  # noqa: ANN401 (any field of any dataclass)
    """A dataclass as dictionaries, lists, numbers, strings and None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: to_plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(entry) for entry in value]
    return value


def from_plain(kind: type[T], plain: object, where: str = "settings") -> T:
    """An object of the dataclass `kind`.

    Fields may be bool, int, float, str, Any, Literal, tuple[X, ...], dict[str, X], dataclasses, and unions with None or
    of dataclasses that differ in a Literal field `kind`. `where` names the value in the `SettingsError` for unknown or
    missing fields, wrong types, and whatever the class itself refuses with a ValueError.
    """
    if not isinstance(plain, dict):
        raise SettingsError(f"{where} must be a table of named values")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(typing.cast("Any", kind))}
    if unknown := sorted(str(name) for name in plain.keys() - fields.keys()):
        raise SettingsError(f"{where} has no field {unknown[0]!r}")
    values = {name: _value(hints[name], plain[name], f"{where}.{name}") for name in fields if name in plain}
    for name, field in fields.items():
        if name not in values and field.default is field.default_factory is dataclasses.MISSING:
            raise SettingsError(f"{where} lacks the field {name!r}")
    try:
        return kind(**values)
    except SettingsError:
        raise
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from error


def _value(hint: Any, plain: object, where: str) -> Any:  # noqa: ANN401 (type hints are of no one type)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return plain
    if origin is Literal:
        return _one_of(arguments, plain, where)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments, plain, where)
    if origin is tuple:
        return tuple(_value(arguments[0], entry, f"{where}[{number}]") for number, entry in _entries(plain, where))
    if origin is dict:
        named = _checked(dict, plain, where).items()
        return {_checked(str, name, where): _value(arguments[1], entry, f"{where}.{name}") for name, entry in named}
    if dataclasses.is_dataclass(hint):
        return from_plain(typing.cast("type", hint), plain, where)
    if hint is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    return _checked(hint, plain, where)


def _one_of(choices: tuple[Any, ...], plain: object, where: str) -> Any:  # noqa: ANN401
    for choice in choices:
        if type(choice) is type(plain) and choice == plain:
            return choice
    raise SettingsError(f"{where} is {plain!r}; it must be one of {', '.join(map(repr, choices))}")


def _union(members: tuple[Any, ...], plain: object, where: str) -> Any:  # noqa: ANN401
    if plain is None and types.NoneType in members:
        return None
    classes = [member for member in members if member is not types.NoneType]
    if len(classes) == 1:
        return _value(classes[0], plain, where)
    named = plain.get("kind") if isinstance(plain, dict) else None
    kinds = {kind: member for member in classes for kind in typing.get_args(typing.get_type_hints(member)["kind"])}
    if not isinstance(named, str) or named not in kinds:
        raise SettingsError(f"{where}.kind is {named!r}; it must be one of {', '.join(map(repr, kinds))}")
    return from_plain(kinds[named], plain, where)


def _entries(plain: object, where: str) -> enumerate[object]:
    if not isinstance(plain, list | tuple):
        raise SettingsError(f"{where} must be a list")
    return enumerate(plain)


def _checked(kind: Any, plain: object, where: str) -> Any:  # noqa: ANN401
    if type(plain) is not kind:
        raise SettingsError(f"{where} is {plain!r}; it must be of type {kind.__name__}")
    return plain
