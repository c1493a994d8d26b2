"""`dataclass`, `field`, `fields` and `replace`: the standard library's, without what they cost at import.

For each class, `dataclasses` writes and compiles six methods, and it imports `inspect` for them: half of what importing
a task's modules took (docs/decisions/0007). Here a class shares its methods with all others, and its `__init__`, the
one that has to be fast, is compiled when the first instance is made. Whoever asks for `__dataclass_fields__`, as all
functions of `dataclasses` do, gets the real ones.

To a type checker these are the standard library's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass, field, fields, replace
else:
    from operator import attrgetter

    _MISSING = object()
    _FIELDS = "__reflow_fields__"
    _UNHASHABLE = (list, dict, set)

    class Field:
        """One field: `default` or `factory` where it needn't be given."""

        __slots__ = ("default", "factory", "name", "repr", "type")

        def __init__(self, default=_MISSING, factory=_MISSING, repr=True):
            self.default = default
            self.factory = factory
            self.repr = repr
            self.name = ""
            self.type = ""

        @property
        def is_required(self):
            return self.default is _MISSING and self.factory is _MISSING

    def field(*, default=_MISSING, default_factory=_MISSING, repr=True):
        return Field(default, default_factory, repr)

    def fields(of):
        return tuple(getattr(of, _FIELDS).values())

    def replace(instance, /, **changes):
        values = {name: getattr(instance, name) for name in getattr(instance, _FIELDS)}
        return type(instance)(**{**values, **changes})

    def dataclass(cls=None, /, *, frozen=False, slots=False, order=False):
        if cls is None:
            return lambda cls: _made(cls, frozen, slots, order)
        return _made(cls, frozen, slots, order)

    def _made(cls, frozen, slots, order):
        own = _own_fields(cls)
        found = {**_inherited(cls), **own}
        if slots:
            cls = _with_slots(cls, own)
        else:
            for name, one in own.items():
                if name in cls.__dict__ and one.default is _MISSING:
                    delattr(cls, name)
                elif name in cls.__dict__:
                    setattr(cls, name, one.default)
        setattr(cls, _FIELDS, found)
        cls.__dataclass_fields__ = _REAL_FIELDS
        cls._reflow_values = _values_of(tuple(found))
        cls.__match_args__ = tuple(found)
        methods = {"__init__": _uncompiled(cls, frozen), "__repr__": _repr, "__eq__": _eq}
        methods["__hash__"] = _hash if frozen else None
        if frozen:
            methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
        if frozen and slots:
            methods |= {"__getstate__": _getstate, "__setstate__": _setstate}
        if order:
            methods |= {"__lt__": _lt, "__le__": _le, "__gt__": _gt, "__ge__": _ge}
        for name, method in methods.items():
            if name not in cls.__dict__ or (name == "__hash__" and cls.__dict__[name] is None):
                setattr(cls, name, method)
        return cls

    def _own_fields(cls):
        found = {}
        for name, kind in cls.__annotations__.items():
            if "ClassVar" in str(kind):
                continue
            given = cls.__dict__.get(name, _MISSING)
            one = given if isinstance(given, Field) else Field(given)
            if isinstance(one.default, _UNHASHABLE):
                raise ValueError(
                    f"mutable default {type(one.default)} for field {name} is not allowed: use default_factory"
                )
            one.name, one.type = name, kind
            found[name] = one
        return found

    def _inherited(cls):
        found = {}
        for base in reversed(cls.__mro__[1:]):
            found |= base.__dict__.get(_FIELDS, {})
        return found

    def _with_slots(cls, own):
        left_out = {"__dict__", "__weakref__", *own}
        namespace = {name: value for name, value in cls.__dict__.items() if name not in left_out}
        namespace["__slots__"] = tuple(own)
        namespace["__qualname__"] = cls.__qualname__
        return type(cls)(cls.__name__, cls.__bases__, namespace)

    def _values_of(names):
        if len(names) > 1:
            return attrgetter(*names)
        return staticmethod(lambda instance: tuple(getattr(instance, name) for name in names))

    def _uncompiled(cls, frozen):
        def __init__(self, *args, **kwargs):
            compiled = _compiled_init(cls, frozen)
            cls.__init__ = compiled
            compiled(self, *args, **kwargs)

        return __init__

    def _compiled_init(cls, frozen):
        known = {"_missing": _MISSING, "_set": object.__setattr__}
        parameters, body = [], []
        for name, one in getattr(cls, _FIELDS).items():
            known[f"_d_{name}"], known[f"_f_{name}"] = one.default, one.factory
            default = "" if one.is_required else "=_missing" if one.default is _MISSING else f"=_d_{name}"
            made = name if one.factory is _MISSING else f"_f_{name}() if {name} is _missing else {name}"
            parameters.append(f"{name}{default}")
            body.append(f" _set(self, {name!r}, {made})" if frozen else f" self.{name} = {made}")
        if hasattr(cls, "__post_init__"):
            body.append(" self.__post_init__()")
        lines = [f"def __init__({', '.join(['self', *parameters])}):", *body, " return None"]
        exec("\n".join(lines), known)
        init = known["__init__"]
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        return init

    def _repr(self):
        shown = (one.name for one in getattr(self, _FIELDS).values() if one.repr)
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def _eq(self, other):
        if other.__class__ is self.__class__:
            return self._reflow_values(self) == other._reflow_values(other)
        return NotImplemented

    def _hash(self):
        return hash(self._reflow_values(self))

    def _compared(name):
        def compare(self, other):
            if other.__class__ is self.__class__:
                return getattr(self._reflow_values(self), name)(other._reflow_values(other))
            return NotImplemented

        compare.__name__ = name
        return compare

    _lt, _le, _gt, _ge = (_compared(name) for name in ("__lt__", "__le__", "__gt__", "__ge__"))

    def _refuse_to_set(self, name, value):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_to_delete(self, name):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def _getstate(self):
        return list(self._reflow_values(self))

    def _setstate(self, state):
        for name, value in zip(getattr(self, _FIELDS), state, strict=True):
            object.__setattr__(self, name, value)

    class _RealFields:
        """What the standard library's own functions look for."""

        def __get__(self, instance, owner):
            from dataclasses import MISSING, make_dataclass
            from dataclasses import field as real

            made = [
                (
                    one.name,
                    one.type,
                    real(
                        default=MISSING if one.default is _MISSING else one.default,
                        default_factory=MISSING if one.factory is _MISSING else one.factory,
                        repr=one.repr,
                    ),
                )
                for one in getattr(owner, _FIELDS).values()
            ]
            return make_dataclass(owner.__name__, made).__dataclass_fields__

    _REAL_FIELDS = _RealFields()

__all__ = ["dataclass", "field", "fields", "replace"]
