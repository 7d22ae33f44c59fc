using System.Collections.Generic;
using System.Threading;

namespace Overlay.Metadata.Protocol;

/// <summary>
/// The second half of a volume's coherence file: which inodes may have a page file. Word <c>i</c> belongs to all inodes of the
/// same <see cref="IndexOf"/>: its low 16 bits count those that have one, the others count changes. The agent that keeps the
/// volume's pages writes it; everybody else reads, and asks that agent about an inode whose word is not idle and has changed.
/// </summary>
public sealed unsafe class LiveTable
{
    public const int Words = 65_536;
    public const int Size = Words * sizeof(ulong);

    /// <summary>
    /// Byte (this + inode number) of the volume's lock file is locked, shared, by every process that maps the inode: a keeper that
    /// follows another one finds there what it must not make anew.
    /// </summary>
    public const long HoldBase = 1L << 62;

    private const ulong CountMask = 0xFFFF, Change = 0x10000;

    private readonly ulong* _words;

    /// <param name="words">Shared memory that stays mapped.</param>
    public LiveTable(void* words) => _words = (ulong*)words;

    public static int IndexOf(ulong inode) => (int)(inode * 0x9E3779B97F4A7C15 >> 48);

    /// <summary>No inode of this word has a page file.</summary>
    public static bool IsIdle(ulong word) => (word & CountMask) == 0;

    public ref ulong Word(ulong inode) => ref _words[IndexOf(inode)];

    /// <summary>The same word, by address.</summary>
    public ulong* WordAt(ulong inode) => _words + IndexOf(inode);

    internal void Begin(ulong inode) => Interlocked.Add(ref Word(inode), Change + 1);

    internal void End(ulong inode) => Interlocked.Add(ref Word(inode), Change - 1);

    /// <summary>For a new keeper: only these are left, and everybody asks anew.</summary>
    internal void Restart(IReadOnlyCollection<ulong> inodes)
    {
        Dictionary<int, ulong> counts = [];
        foreach (ulong inode in inodes)
            counts[IndexOf(inode)] = counts.GetValueOrDefault(IndexOf(inode)) + 1;
        for (int i = 0; i < Words; i++)
        {
            ulong word = Volatile.Read(ref _words[i]), count = counts.GetValueOrDefault(i);
            // In one store: nobody may see a word idle whose inodes are mapped.
            if (word != 0 || count != 0)
                Volatile.Write(ref _words[i], (word & ~CountMask) + Change + count);
        }
    }
}
