using System.Collections.Generic;
using System.Threading;

namespace Overlay.Files;

/// <summary>
/// The files that keep index pages although the process has many: who has kept some for longest gives up its own when there is no more room.
/// A program has as many files open as its RLIMIT_NOFILE says, tens of thousands.
/// </summary>
/// <remarks>
/// Locks: a file's gate → <c>s_gate</c> → nothing; another file's gate is only tried. A file leaves no later than it is let go of.
/// </remarks>
internal static class IndexPagesQueue
{
    private static readonly Lock s_gate = new();
    private static readonly LinkedList<IndexPages> s_files = new();

    internal static void Enter(IndexPages pages)
    {
        lock (s_gate)
        {
            pages.Queued ??= new LinkedListNode<IndexPages>(pages);
            if (pages.Queued.List is null)
                s_files.AddLast(pages.Queued);
        }
    }

    internal static void Leave(IndexPages pages)
    {
        if (pages.Queued is null)
            return;
        lock (s_gate)
            if (pages.Queued.List is not null)
                s_files.Remove(pages.Queued);
    }

    /// <summary>Everybody is asked once at most: who is at work keeps what it has.</summary>
    internal static void MakeRoom(IndexPages asking)
    {
        lock (s_gate)
        {
            for (int left = s_files.Count; left > 0 && IndexPages.AreTooMany; left--)
            {
                LinkedListNode<IndexPages> first = s_files.First!;
                s_files.Remove(first);
                if (first.Value == asking || !first.Value.TryGiveUpAll())
                    s_files.AddLast(first);
            }
        }
    }
}
