using System;
using Overlay.Files;
using Overlay.Pages;

namespace Overlay.Engine;

/// <summary>
/// The inode's write lock, held from <see cref="Enter"/> to <see cref="Dispose"/>, and everything that changes a file's bytes or
/// length inside it: in the sealed file and, where any process maps it shared, in its page file.
/// </summary>
internal readonly ref struct LiveWrite
{
    private readonly OpenFile _open;
    private readonly PageFile? _pages;

    private LiveWrite(OpenFile open, PageFile? pages)
    {
        _open = open;
        _pages = pages;
    }

    private readonly SealedFile File => _open.File;

    internal long Length => File.CurrentLength;

    internal static LiveWrite Enter(OpenFile file)
    {
        RecentFile.KeepOpen(file);
        for (; ; )
        {
            // The agent is asked before the lock is taken; whether that answer still holds is seen inside.
            PageFile? pages = file.TakePages(out ulong word);
            try
            {
                file.File.EnterWrite();
            }
            catch
            {
                pages?.Release();
                throw;
            }
            LiveWrite entered = new(file, pages);
            try
            {
                if (file.LiveWord == word)
                    return entered.Fit();
            }
            catch
            {
                entered.Dispose();
                throw;
            }
            entered.Dispose();
        }
    }

    internal int Write(long offset, ReadOnlySpan<byte> data)
    {
        int written = File.Write(offset, data);
        _pages?.Write(offset, data[..written]);
        return written;
    }

    internal void SetLength(long length)
    {
        File.SetLength(length);
        _pages?.SetLength(length);
    }

    internal void PunchHole(long offset, long length)
    {
        File.PunchHole(offset, length);
        _pages?.PunchHole(offset, length);
    }

    public void Dispose()
    {
        try
        {
            File.ExitWrite();
        }
        finally
        {
            _pages?.Release();
            RecentFile.AfterChange(_open);
            _open.TellIfMuchIsNew();
        }
    }

    /// <summary>A writer may have been killed between the two; and a page file that is not filled is none yet.</summary>
    private LiveWrite Fit()
    {
        if (_pages is null)
            return this;
        if (!_pages.IsFilled)
        {
            _pages.Release();
            return new LiveWrite(_open, null);
        }
        if (_pages.Length != File.CurrentLength)
            _pages.SetLength(File.CurrentLength);
        return this;
    }
}
