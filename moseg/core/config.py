"""Configuration: YAML checked by pydantic models, and the reference page made from them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from moseg.core.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        ConfigError: no such file, not YAML, or not a mapping.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such configuration file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a configuration file: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: is nested too deeply for a configuration file") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold keys and values, not a {type(data).__name__}")
    return data


def apply_settings(data: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Return `data` with `section.key=value` settings applied; values are YAML.

    Raises:
        ConfigError: a setting has no `=`, or its value is not YAML.
    """
    result = _copy(data)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"setting '{setting}' must look like section.key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"setting '{setting}': the value is not valid YAML") from error
        *sections, key = name.strip().split(".")
        inner = result
        for section in sections:
            inner = inner.setdefault(section, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"setting '{setting}': {section} is not a section")
        inner[key] = value
    return result


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over` on top, section by section."""
    result = _copy(base)
    for key, value in over.items():
        inner = result.get(key)
        both = isinstance(value, Mapping) and isinstance(inner, Mapping)
        result[key] = merge(inner or {}, value) if both else value
    return result


def name_backends(model: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` with `backend` filled in where a section may be of several and names none."""
    result = _copy(data)
    for name, info in model.model_fields.items():
        if len(_sections(info)) > 1 and isinstance(result.get(name, {}), dict):
            result.setdefault(name, {}).setdefault("backend", info.default.backend)
    return result


def validate(model: type[Model], data: Mapping[str, Any], origin: str) -> Model:
    """Return `data` as a `model`.

    Raises:
        ConfigError: an unknown key (with the nearest known one), a missing or wrong value;
            all problems in one line that begins with `origin`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [_explain(model, dict(problem)) for problem in error.errors()]
        problems = list(dict.fromkeys(problems))
        raise ConfigError(f"{origin}: {'; '.join(problems)}") from error


def reference_page(model: type[BaseModel]) -> str:
    """Return a Markdown page with every key, its type, default and description."""
    lines: list[str] = []
    _describe(model, "", lines)
    return "\n".join(lines)


def _copy(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copy(v) if isinstance(v, Mapping) else v for k, v in data.items()}


def _explain(model: type[BaseModel], problem: dict[str, Any]) -> str:
    """Return one problem in plain words, with the key as a user writes it."""
    where = ".".join(_key(model, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        known = sorted(_keys(model, ""))
        near = difflib.get_close_matches(where, known, n=1)
        hint = f", did you mean '{near[0]}'" if near else ", see docs/configuration.md"
        return f"unknown key '{where}'{hint}"
    given = problem.get("input")
    shown = f" (got {given!r})" if isinstance(given, (str, int, float, bool)) else ""
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "union_tag_invalid":
        where = f"{where}.backend"
        shown = f" (got '{problem['ctx']['tag']}')"
        message = f"Input should be {problem['ctx']['expected_tags'].replace(', ', ' or ')}"
    message = message[0].lower() + message[1:] + shown
    return f"{where}: {message}" if where else message


def _key(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return a key as a user writes it: without the name of the chosen backend."""
    parts = [str(part) for part in location]
    info = model.model_fields.get(parts[0]) if parts else None
    if info and len(_sections(info)) > 1 and len(parts) > 1:
        del parts[1]
    return parts


def _keys(model: type[BaseModel], prefix: str) -> list[str]:
    keys: list[str] = []
    for name, info in model.model_fields.items():
        keys.append(prefix + name)
        for inner in _sections(info):
            keys += _keys(inner, f"{prefix}{name}.")
    return keys


def _sections(info: FieldInfo) -> tuple[type[BaseModel], ...]:
    """Return the model of a section, or those it may be of; nothing for a plain value."""
    kinds = get_args(info.annotation) or (info.annotation,)
    models = tuple(k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel))
    return models if len(models) == len(kinds) else ()


def _describe(model: type[BaseModel], prefix: str, lines: list[str], title: str = "Run") -> None:
    plain = {n: i for n, i in model.model_fields.items() if not _sections(i)}
    if plain:
        lines += [f"## {title}", ""]
        summary = (model.__doc__ or "").strip().split("\n\n")[0]
        if prefix and summary:
            lines += [" ".join(summary.split()), ""]
        lines += ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
        schema = model.model_json_schema()["properties"]
        for name, info in plain.items():
            default = (
                "" if info.is_required() else f"`{info.get_default(call_default_factory=True)}`"
            )
            kind = _type_text(schema[name])
            lines.append(f"| `{prefix}{name}` | {kind} | {default} | {info.description} |")
        lines.append("")
    for name, info in model.model_fields.items():
        inners = _sections(info)
        for inner in inners:
            section = f"`{prefix}{name}`"
            if len(inners) > 1:
                section += f" with backend `{inner.model_fields['backend'].default}`"
            _describe(inner, f"{prefix}{name}.", lines, section)


def _type_text(schema: Mapping[str, Any]) -> str:
    """Return type and range of a field in a few words."""
    if "anyOf" in schema:
        return " or ".join(_type_text(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " / ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    names = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[key]}" for key, sign in names.items() if key in schema]
    return " ".join([str(schema.get("type", "any")), ", ".join(bounds)]).strip()
