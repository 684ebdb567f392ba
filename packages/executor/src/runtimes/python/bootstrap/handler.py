"""Finds the function that the handler setting names, as Lambda does."""

import importlib
import sys

from failure import RuntimeFailure, own_frames, syntax_frames


def load(name):
    """Returns the handler. Raises RuntimeFailure, or what the module itself raises when it is imported."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise RuntimeFailure("MalformedHandlerName", f"Bad handler '{name}': {error}") from None
    module = _import(module_name)
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise RuntimeFailure(
            "HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        ) from None


def _import(name):
    dotted = name.replace("/", ".")
    if dotted.split(".")[0] in sys.builtin_module_names:
        raise RuntimeFailure("BuiltInModuleConflict", f"Cannot use built-in module {name} as a handler module")
    try:
        return importlib.import_module(dotted)
    except ImportError as error:
        raise RuntimeFailure(
            "ImportModuleError", f"Unable to import module '{name}': {error}", own_frames(error)
        ) from error
    except SyntaxError as error:
        raise RuntimeFailure(
            "UserCodeSyntaxError", f"Syntax error in module '{name}': {error}", syntax_frames(error)
        ) from error
