"""The site of ProtoZoo: surveys, sortings, campaigns, votes, consensus and releases."""
