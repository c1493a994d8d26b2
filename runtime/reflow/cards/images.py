"""Pictures, within the page itself."""

from __future__ import annotations

from binascii import b2a_base64
from typing import Any

from reflow.cards.components import UserComponent
from reflow.cards.parts import escape, failure

_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"<svg", "svg+xml"),
    (b"<?xml", "svg+xml"),
)


class Image(UserComponent):
    """`src`: the bytes of a PNG, JPEG, GIF, WebP or SVG file; a figure of Matplotlib, or an image of PIL."""

    REALTIME_UPDATABLE = True

    def __init__(self, src: Any = None, label: str | None = None, disable_updates: bool = True) -> None:
        self._label = label
        self._set(src)

    def _set(self, src: Any) -> None:
        self._why = ""
        self._data = b""
        try:
            self._data = _bytes_of(src)
        except Exception as error:
            self._why = f"{type(error).__name__}: {error}"

    @classmethod
    def from_matplotlib(cls, plot: Any, label: str | None = None, disable_updates: bool = False) -> Image:
        """Of a figure, or of axes on one, as it's now."""
        return cls(plot, label)

    from_matplotlib_plot = from_matplotlib

    @classmethod
    def from_pil_image(cls, pilimage: Any, label: str | None = None, disable_updates: bool = False) -> Image:
        """Of an image of PIL, as it's now."""
        return cls(pilimage, label)

    @classmethod
    def from_bytes(cls, bytes_arr: bytes, label: str | None = None) -> Image:
        """Of a file's bytes."""
        return cls(bytes_arr, label)

    def update(self, image: Any, label: str | None = None) -> None:
        """Show another picture; the label stays where none is given."""
        self._label = label if label is not None else self._label
        self._set(image)

    def render(self) -> str:
        if self._why:
            return failure("The picture can't be shown", self._why)
        source = f"data:image/{_kind(self._data)};base64,{b2a_base64(self._data, newline=False).decode()}"
        label = escape(self._label) if self._label is not None else ""
        caption = f"<figcaption>{label}</figcaption>" if label else ""
        return f'<figure><img src="{source}" alt="{label}">{caption}</figure>'


def _bytes_of(source: Any) -> bytes:
    """Raises where it's no picture."""
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        _kind(data)
        return data
    figure = source.get_figure() if hasattr(source, "get_figure") else source
    from io import BytesIO

    made = BytesIO()
    if hasattr(figure, "savefig"):
        figure.savefig(made, format="png", bbox_inches="tight")
    elif hasattr(source, "save"):
        source.save(made, format="PNG")
    else:
        raise TypeError(
            f"{type(source).__qualname__} isn't the bytes of a picture, a Matplotlib figure or a PIL image"
        )
    return made.getvalue()


def _kind(data: bytes) -> str:
    for beginning, kind in _KINDS:
        if data.lstrip()[:16].startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    raise ValueError("these bytes are no PNG, JPEG, GIF, WebP or SVG file")
