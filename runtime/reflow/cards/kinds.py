"""Card types: what makes a page of what a step appended and of its task. Users may have types of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from reflow.cards.page import page
from reflow.cards.parts import escape, failure
from reflow.values.errors import ReflowError

_known: dict[str, type[MetaflowCard]] = {}


class MetaflowCard:
    """Derive from this for a card type of one's own, anywhere that the flow's script imports, with a `type`.

    `render(task)` gives the page: `task` is the Client's, of the task that has just ended. `components` are those that
    the step appended, as HTML (only where `ALLOW_USER_COMPONENTS`), `options` those of `@card(options={…})`.
    """

    type: ClassVar[str] = ""
    ALLOW_USER_COMPONENTS: ClassVar[bool] = False
    RUNTIME_UPDATABLE: ClassVar[bool] = False
    RELOAD_POLICY_NEVER = "never"
    RELOAD_POLICY_ALWAYS = "always"
    RELOAD_POLICY_ONCHANGE = "onchange"
    RELOAD_POLICY: ClassVar[str] = RELOAD_POLICY_NEVER
    scope = "task"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.type:
            _known[cls.type] = cls

    def __init__(
        self,
        options: Mapping[str, Any] = {},
        components: Sequence[str] = (),
        graph: Any = None,
        flow: Any = None,
    ) -> None:
        self.options, self.components = options or {}, list(components or ())

    def render(self, task: Any) -> str:
        """The page's HTML."""
        raise NotImplementedError

    def render_runtime(self, task: Any, data: Any) -> str:
        """The page while the step runs; `data` is what `refresh` was given. Only where RUNTIME_UPDATABLE."""
        raise NotImplementedError


class BlankCard(MetaflowCard):
    """What the step appended, and nothing else. Option `title`."""

    type = "blank"
    ALLOW_USER_COMPONENTS = True
    RUNTIME_UPDATABLE = True

    def render(self, task: Any) -> str:
        title = str(self.options.get("title") or "")
        head = f"<h1>{escape(title)}</h1>\n" if title else ""
        return page(title or task.pathspec, head + "\n".join(self.components))

    def render_runtime(self, task: Any, data: Any) -> str:
        return self.render(task)


class ErrorCard(MetaflowCard):
    """That a card couldn't be made, and why: for card types of one's own."""

    type = "error"

    def render(self, task: Any, stack_trace: str | None = None) -> str:
        return page(
            task.pathspec, failure("This card couldn't be made", stack_trace or "It isn't known why.")
        )


class HTMLCard(MetaflowCard):
    """The HTML that the step left in an artifact, as it is: `self.html`. Option `attribute`: another name."""

    type = "html"

    def render(self, task: Any) -> str:
        name = str(self.options.get("attribute") or "html")
        if name not in task:
            raise ReflowError(f"the step has set no self.{name}, which a card of the type html shows")
        return str(task[name].data)


def kind_of(name: str) -> type[MetaflowCard]:
    """The card type of that name. Raises ReflowError."""
    if name == "default":
        from reflow.cards import default

        return default.DefaultCard
    try:
        return _known[name]
    except KeyError:
        known = ", ".join(sorted({"default", *_known}))
        raise ReflowError(f"there is no card type {name!r}; there are {known}") from None
