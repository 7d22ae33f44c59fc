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

    private const ulong CountMask = 0xFFFF, Change = 0x10000;

    private readonly ulong* _words;

    /// <param name="words">Shared memory that stays mapped.</param>
    public LiveTable(void* words) => _words = (ulong*)words;

    public static int IndexOf(ulong inode) => (int)(inode * 0x9E3779B97F4A7C15 >> 48);

    /// <summary>No inode of this word has a page file.</summary>
    public static bool IsIdle(ulong word) => (word & CountMask) == 0;

    public ref ulong Word(ulong inode) => ref _words[IndexOf(inode)];

    internal void Begin(ulong inode) => Interlocked.Add(ref Word(inode), Change + 1);

    internal void End(ulong inode) => Interlocked.Add(ref Word(inode), Change - 1);

    /// <summary>For a new keeper: nothing is kept yet.</summary>
    internal void Clear()
    {
        for (int i = 0; i < Words; i++)
        {
            ulong word = Volatile.Read(ref _words[i]);
            if (word != 0)
                Volatile.Write(ref _words[i], (word & ~CountMask) + Change);
        }
    }
}
