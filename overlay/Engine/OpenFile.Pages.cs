using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Pages;

namespace Overlay.Engine;

/// <summary>Is the inode mapped shared by any process? Then its bytes are read from, and also written to, its page file.</summary>
internal sealed partial class OpenFile
{
    internal const int LongestWait = 100;
    private const int WaitMilliseconds = 20;

    private readonly Lock _pagesGate = new();

    /// <summary>What was found when the live word was <see cref="_pagesWord"/>; null: no page file.</summary>
    private PageFile? _pages;
    private ulong _pagesWord;
    private int _mappings, _lazyMappings;

    /// <summary>Says to keepers to come that this process maps the file; -1 if it does not. Shared with forked children.</summary>
    private int _hold = -1;

    /// <summary>This process maps it, or is about to.</summary>
    internal bool IsMapped => Volatile.Read(ref _mappings) > 0;

    /// <summary>This process has private mappings of it that are filled from it when they are touched.</summary>
    internal bool IsMappedLazily => Volatile.Read(ref _lazyMappings) > 0;

    internal void AddLazyMapping()
    {
        Interlocked.Increment(ref _lazyMappings);
        RecentFile.KeepOpen(this);
    }

    /// <summary>True: it was the last one.</summary>
    internal bool RemoveLazyMapping() => Interlocked.Decrement(ref _lazyMappings) == 0;

    /// <summary>See <see cref="LiveTable"/>; 0 to begin with.</summary>
    internal ulong LiveWord => Volatile.Read(ref Volume.Coherence.Live.Word(Inode));

    internal void AddMapping()
    {
        Interlocked.Increment(ref _mappings);
        RecentFile.KeepOpen(this);
    }

    /// <summary>True: it was the last one.</summary>
    internal bool RemoveMapping()
    {
        if (Interlocked.Decrement(ref _mappings) != 0)
            return false;
        lock (_pagesGate)
        {
            if (IsMapped)
                return false;
            // Closed, not unlocked: a child that maps the file, too, shares the description.
            if (_hold >= 0)
                Descriptors.CloseOwn(_hold);
            _hold = -1;
            return true;
        }
    }

    /// <summary>Before it is mapped: from now on no keeper makes another page file for it. Counted by <see cref="AddMapping"/>.</summary>
    internal void Hold()
    {
        lock (_pagesGate)
        {
            if (_hold >= 0)
                return;
            int fd = Volume.OpenLocksAnew();
            if (fd < 0)
                throw new ErrnoException(Errno.EROFS, "the volume is read-only");
            if (!LockFile.TryHold(fd, Inode))
            {
                Descriptors.CloseOwn(fd);
                throw KernelFile.Failure("the volume's lock file failed");
            }
            _hold = fd;
        }
    }

    /// <summary>
    /// The page file, to be released, or null. What is read from it, or from the sealed file where there is none, counts if the
    /// live word is still <paramref name="word"/> afterwards; and for a writer, if it is so inside the inode's lock.
    /// </summary>
    /// <remarks>May ask the agent: no lock between processes may be held.</remarks>
    internal PageFile? TakePages(out ulong word)
    {
        for (int attempt = 0; ; attempt++)
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
                    return Use(_pages);
            }
            if (!TryFetch(word, attempt, out PageFile? alone))
                return alone;
        }
    }

    /// <summary>Asks the keeper.</summary>
    /// <param name="alone">No keeper can be had, but we map it: our own will do, since nobody else can have another one.</param>
    private bool TryFetch(ulong word, int attempt, out PageFile? alone)
    {
        alone = null;
        byte[] fileId = File.FileId.ToArray();
        BecomeReadable();
        PageFile? own;
        lock (_pagesGate)
            own = IsMapped ? Use(_pages) : null;
        try
        {
            int fd = Volume.OpenPages(fileId, PageUse.View, _fd);
            if (fd is -Errno.EBUSY or -Errno.ENOENT && own is not null)
                fd = Volume.OfferPages(fileId, own.Descriptor, _fd);
            if (fd == -Errno.EBUSY && attempt < LongestWait)
            {
                Thread.Sleep(WaitMilliseconds); // until somebody who maps it has offered it
                return true;
            }
            if (fd < 0 && fd != -Errno.ENOENT)
                throw new ErrnoException(-fd, "the pages of a mapped file cannot be had");
            Replace(fd < 0 ? null : new PageFile(fd), word);
            return true;
        }
        catch (ErrnoException exception)
        {
            if (own is null)
            {
                Log.Write($"it is mapped by other processes, and its pages cannot be had: {exception.Message} (errno {exception.Errno})");
                throw new ErrnoException(Errno.EIO, exception.Message);
            }
            (alone, own) = (own, null);
            return false;
        }
        finally
        {
            own?.Release();
        }
    }

    private static PageFile? Use(PageFile? pages)
    {
        pages?.AddUser();
        return pages;
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
