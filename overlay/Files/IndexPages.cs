using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Threading;

namespace Overlay.Files;

/// <summary>
/// The index pages of one file that are in memory. Bounded, for the file and for the process: a page costs one read to get back, and programs
/// have many files open, and large ones.
/// </summary>
/// <remarks>At most 13 KiB each, with tables. Whoever uses it holds the file's gate.</remarks>
internal sealed class IndexPages
{
    /// <summary>Of a file, as long as the process has few, 232 MiB with blocks of 16 KiB; and of each file in any case.</summary>
    private const int ManyKept = 512, FewKept = 64;

    /// <summary>Of all files of the process: from here on each keeps few, and is one of those that are asked to give up theirs.</summary>
    private const int KeptInAll = 2048;

    /// <summary>And never more: the engine's heap, 128 MiB, has a page for each file that is open, or the next one cannot be opened.</summary>
    internal const int KeptAtMost = 4096;

    private static int s_kept;

    private readonly Dictionary<long, IndexPage> _pages = [];
    private readonly Lock _gate;

    /// <param name="gate">The file's.</param>
    internal IndexPages(Lock gate) => _gate = gate;

    internal int Count => _pages.Count;

    /// <summary>Where it stands among those that can be asked; the queue's alone.</summary>
    internal LinkedListNode<IndexPages>? Queued { get; set; }

    internal bool TryGet(long group, [NotNullWhen(true)] out IndexPage? page) => _pages.TryGetValue(group, out page);

    /// <summary>Keeps it, and where there are too many gives up every other one, but neither <paramref name="neededGroup"/>'s nor the first.</summary>
    internal IndexPage Keep(IndexPage page, long neededGroup)
    {
        if (_pages.Count >= (Volatile.Read(ref s_kept) < KeptInAll ? ManyKept : FewKept))
            GiveUpHalf(neededGroup);
        int kept = _pages.ContainsKey(page.Group) ? 0 : Interlocked.Increment(ref s_kept);
        _pages[page.Group] = page;
        if (kept > KeptInAll)
            IndexPagesQueue.Enter(this);
        if (kept > KeptAtMost)
            IndexPagesQueue.MakeRoom(this);
        return page;
    }

    /// <summary>Another file wants to keep one. False: this one is being used, perhaps by the thread that asks.</summary>
    internal bool TryGiveUpAll()
    {
        if (_gate.IsHeldByCurrentThread || !_gate.TryEnter())
            return false;
        try
        {
            Recycle();
            return true;
        }
        finally
        {
            _gate.Exit();
        }
    }

    internal static bool AreTooMany => Volatile.Read(ref s_kept) > KeptAtMost;

    internal void Remove(long group)
    {
        if (_pages.Remove(group))
            Interlocked.Decrement(ref s_kept);
    }

    /// <summary>Those of groups behind this one.</summary>
    internal void RemoveBehind(long lastGroup)
    {
        foreach (long group in _pages.Keys)
            if (group > lastGroup)
                Remove(group);
    }

    internal void Clear()
    {
        Interlocked.Add(ref s_kept, -_pages.Count);
        _pages.Clear();
    }

    /// <summary>The file is let go of.</summary>
    internal void Return()
    {
        IndexPagesQueue.Leave(this);
        Recycle();
    }

    /// <summary>Between operations: nobody uses the pages, and others may have them.</summary>
    internal void Recycle()
    {
        foreach (IndexPage page in _pages.Values)
            page.Return();
        Clear();
    }

    private void GiveUpHalf(long neededGroup)
    {
        bool goes = false;
        foreach (long group in _pages.Keys)
        {
            goes = !goes;
            if (goes && group != 0 && group != neededGroup)
                Remove(group);
        }
    }
}
