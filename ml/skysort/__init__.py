"""The engine of ProtoZoo: sorts surveys by shape, whatever the rotation, and merges what people say."""

__version__ = "0.1.0"
