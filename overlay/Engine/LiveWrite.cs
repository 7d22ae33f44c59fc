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
    private readonly SealedFile _file;
    private readonly PageFile? _pages;

    private LiveWrite(SealedFile file, PageFile? pages)
    {
        _file = file;
        _pages = pages;
    }

    internal long Length => _file.CurrentLength;

    internal static LiveWrite Enter(OpenFile file)
    {
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
            LiveWrite entered = new(file.File, pages);
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
        int written = _file.Write(offset, data);
        _pages?.Write(offset, data[..written]);
        return written;
    }

    internal void SetLength(long length)
    {
        _file.SetLength(length);
        _pages?.SetLength(length);
    }

    internal void PunchHole(long offset, long length)
    {
        _file.PunchHole(offset, length);
        _pages?.PunchHole(offset, length);
    }

    public void Dispose()
    {
        try
        {
            _file.ExitWrite();
        }
        finally
        {
            _pages?.Release();
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
            return new LiveWrite(_file, null);
        }
        if (_pages.Length != _file.CurrentLength)
            _pages.SetLength(_file.CurrentLength);
        return this;
    }
}
