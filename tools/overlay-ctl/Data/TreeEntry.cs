namespace Overlay.Ctl.Data;

/// <summary>Something in a tree, as it was when it was looked at. A directory comes before what is in it, and once more, with this set, behind it.</summary>
internal sealed record TreeEntry(byte[] Path, NodeStatus Status, bool IsEnd = false);
