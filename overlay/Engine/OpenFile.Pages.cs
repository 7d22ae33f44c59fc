using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Metadata.Protocol;
using Overlay.Pages;

namespace Overlay.Engine;

/// <summary>Is the inode mapped shared by any process? Then its bytes are read from, and also written to, its page file.</summary>
internal sealed partial class OpenFile
{
    private readonly Lock _pagesGate = new();

    /// <summary>What was found when the live word was <see cref="_pagesWord"/>; null: no page file.</summary>
    private PageFile? _pages;
    private ulong _pagesWord;
    private int _mappings;

    /// <summary>This process maps it, or is about to.</summary>
    internal bool IsMapped => Volatile.Read(ref _mappings) > 0;

    /// <summary>See <see cref="LiveTable"/>; 0 to begin with.</summary>
    internal ulong LiveWord => Volatile.Read(ref Volume.Coherence.Live.Word(Inode));

    internal void AddMapping() => Interlocked.Increment(ref _mappings);

    /// <summary>True: it was the last one.</summary>
    internal bool RemoveMapping() => Interlocked.Decrement(ref _mappings) == 0;

    /// <summary>
    /// The page file, to be released, or null. What is read from it, or from the sealed file where there is none, counts if the
    /// live word is still <paramref name="word"/> afterwards; and for a writer, if it is so inside the inode's lock.
    /// </summary>
    /// <remarks>May ask the agent: no lock between processes may be held.</remarks>
    internal PageFile? TakePages(out ulong word)
    {
        for (; ; )
        {
            word = LiveWord;
            if (LiveTable.IsIdle(word))
            {
                if (_pages is not null)
                    Replace(null, word);
                return null;
            }
            lock (_pagesGate)
            {
                if (_pagesWord == word && (_pages is null || _pages.CanWrite || !_canWrite))
                {
                    _pages?.AddUser();
                    return _pages;
                }
            }
            int fd = Volume.OpenPages(File.FileId.ToArray(), PageUse.View, _fd);
            if (fd < 0 && fd != -Errno.ENOENT)
            {
                Log.Write($"its pages are kept by an agent that does not give them (errno {-fd})");
                throw new ErrnoException(Errno.EIO, "the pages of a mapped file cannot be had");
            }
            Replace(fd < 0 ? null : new PageFile(fd), word);
        }
    }

    private void Replace(PageFile? pages, ulong word)
    {
        PageFile? before;
        lock (_pagesGate)
        {
            before = _pages;
            _pages = pages;
            _pagesWord = word;
        }
        before?.Release();
    }
}
