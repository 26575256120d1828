# SPDX-License-Identifier: MIT
"""Holds what memplugctl prints against docs/memplugctl.schema.json."""

import json
import re

import jsonschema

import paths

PATH = paths.ROOT / "docs/memplugctl.schema.json"
# As a case prints an object: the verb, or error, and the object on one line.
_OBJECT = re.compile(rb"^@object ([a-z]+) (.*)$", re.MULTILINE)


def load() -> dict:
    """The schema, which is one itself."""
    schema = json.loads(PATH.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def verbs(schema: dict) -> list[str]:
    """What a whole object may be of: each verb, and error."""
    return [choice["$ref"].rpartition("/")[2] for choice in schema["anyOf"]]


def _closed(part):
    """The same, but no key may be there that it does not name: it is to name all of them."""
    if isinstance(part, list):
        return [_closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _closed(value) for key, value in part.items()}
    if closed.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


def problems(schema: dict, verb: str, printed) -> list[str]:
    """What is wrong with one object."""
    closed = {**_closed(schema), "anyOf": [{"$ref": f"#/$defs/{verb}"}]}
    # The best match goes down into what a choice did not like.
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(closed).iter_errors(printed))
    return [f"{verb}: {error.json_path}: {error.message}"] if error else []


def problems_of_case(stdout: bytes) -> list[str]:
    """What is wrong with the objects that a case printed; each verb has to be there."""
    schema = load()
    seen = set()
    found = []
    for verb, text in _OBJECT.findall(stdout):
        name = verb.decode()
        seen.add(name)
        try:
            found += problems(schema, name, json.loads(text))
        except ValueError as error:
            found.append(f"{name}: no JSON: {error}: {text[:80]}")
    return found + [f"{name}: no object" for name in verbs(schema) if name not in seen]
