"""Results as pictures: annotated pictures and video, a timeline, a contact sheet, a page."""

from .card import LabelBar, OverlayCard, card_of
from .picture import annotate, save
from .registry import SINKS, open_sink
from .sheet import Sheet
from .sink import Sink

__all__ = ["SINKS", "LabelBar", "OverlayCard", "Sheet", "Sink", "annotate", "card_of", "open_sink", "save"]
