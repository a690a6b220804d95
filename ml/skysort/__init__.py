"""The engine of ProtoZoo: sorts surveys by shape, turned any way, and merges what people say."""

__version__ = "0.1.0"
