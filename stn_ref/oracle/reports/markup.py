"""XML and HTML as trees, so that no text can be taken for markup."""

from typing import Any
from xml.etree import ElementTree as ET

from .words import visible

Element = ET.Element


def element(tag: str, *content: "Element | str", **attributes: str) -> Element:
    """An element; ``class_`` and ``aria_label`` are written without the first's and with a - for the
    second's underscore.

    >>> ET.tostring(element("p", "1 < 2, ", element("b", "truly"), ".", class_="x"))
    b'<p class="x">1 &lt; 2, <b>truly</b>.</p>'
    """
    found = Element(tag, {name.strip("_").replace("_", "-"): visible(v) for name, v in attributes.items()})
    last: Element | None = None
    for part in content:
        if isinstance(part, Element):
            found.append(part)
            last = part
        elif last is None:
            found.text = (found.text or "") + visible(part)
        else:
            last.tail = (last.tail or "") + visible(part)
    return found


def as_xml(root: Element) -> bytes:
    """A whole XML file."""
    return _bytes(root, xml_declaration=True)


def as_html(root: Element) -> bytes:
    """A whole page."""
    return b"<!doctype html>\n" + _bytes(root, method="html") + b"\n"


def _bytes(root: Element, **how: Any) -> bytes:
    text: bytes = ET.tostring(root, "utf-8", **how)
    return text
