using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Engine;
using Overlay.Files;
using Overlay.Interop;
using static Overlay.Metadata.Protocol.PageFileLayout;

namespace Overlay.Pages;

/// <summary>A descriptor of a page file (<see cref="Metadata.Protocol.PageFileLayout"/>), closed when its last user lets go.</summary>
internal sealed unsafe class PageFile
{
    private readonly int _fd;
    private int _users = 1;
    private bool _isFilled;

    /// <param name="fd">Taken over; one of the engine's (<see cref="Descriptors"/>).</param>
    internal PageFile(int fd)
    {
        _fd = fd;
        CanWrite = (Kernel.Control(fd, Kernel.F_GETFL, 0) & Kernel.O_ACCMODE) == Kernel.O_RDWR;
    }

    internal int Descriptor => _fd;

    internal bool CanWrite { get; }

    /// <summary>The bytes are the file's. It never goes back.</summary>
    internal bool IsFilled => _isFilled || (_isFilled = State(FilledOffset));

    internal bool MayBeDirty => State(DirtyOffset);

    /// <summary>The file's length; 0 also of a page file that was given up.</summary>
    internal long Length => Math.Max(0, KernelFile.Status(_fd).Size - DataOffset);

    internal void AddUser() => Interlocked.Increment(ref _users);

    internal void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            Descriptors.CloseOwn(_fd);
    }

    internal int Read(long offset, Span<byte> target) =>
        offset > long.MaxValue - DataOffset ? 0 : KernelFile.Read(_fd, offset + DataOffset, target);

    /// <summary>Inside the inode's write lock, as are the others that change something.</summary>
    internal void Write(long offset, ReadOnlySpan<byte> data)
    {
        long length = Length;
        if (offset + data.Length > length)
            ZeroTail(length);
        KernelFile.Write(_fd, offset + DataOffset, data);
    }

    internal void SetLength(long length)
    {
        long before = Length;
        if (length > before)
            ZeroTail(before);
        KernelFile.Check(Kernel.SetLength(_fd, length + DataOffset), "changing a page file's length failed");
    }

    internal void PunchHole(long offset, long length)
    {
        const int Punch = Kernel.FALLOC_FL_PUNCH_HOLE | Kernel.FALLOC_FL_KEEP_SIZE;
        length = Math.Min(length, Length - offset);
        if (length > 0)
            KernelFile.Check(Kernel.Allocate(_fd, Punch, offset + DataOffset, length), "punching a page file failed");
    }

    internal void MarkDirty() => SetState(DirtyOffset);

    internal void MarkFilled() => SetState(FilledOffset);

    /// <summary>The first byte at or after <paramref name="offset"/> that may not be zero; long.MaxValue: none.</summary>
    internal long SeekData(long offset)
    {
        long found = Kernel.Seek(_fd, offset + DataOffset, Kernel.SEEK_DATA);
        return found >= 0 ? found - DataOffset : long.MaxValue;
    }

    /// <summary>What a mapping wrote behind the end, in the last page, must not come up when the file grows.</summary>
    private void ZeroTail(long length)
    {
        int inPage = (int)(length % 4096);
        if (inPage == 0)
            return;
        Span<byte> zeros = stackalloc byte[4096 - inPage];
        zeros.Clear();
        KernelFile.Write(_fd, length + DataOffset, zeros);
        // Not longer than before: whoever looks in between sees zeros behind the end, as in any page.
        KernelFile.Check(Kernel.SetLength(_fd, length + DataOffset), "changing a page file's length failed");
    }

    private bool State(int offset)
    {
        int value = 0;
        return KernelFile.Read(_fd, offset, new Span<byte>(&value, sizeof(int))) == sizeof(int) && value != 0;
    }

    private void SetState(int offset)
    {
        int one = 1;
        KernelFile.Write(_fd, offset, new ReadOnlySpan<byte>(&one, sizeof(int)));
    }
}
