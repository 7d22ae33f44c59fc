using System;
using System.Runtime.InteropServices;
using Overlay.Crypto;

namespace Overlay.Metadata.Interop;

/// <summary>
/// Memory for keys: own pages, not swapped where RLIMIT_MEMLOCK allows it, not in core files, empty in a forked child,
/// zeroed when disposed of.
/// </summary>
internal sealed unsafe class SecretMemory : SafeHandle
{
    private readonly int _length;

    internal SecretMemory(int length) : base(-1, ownsHandle: true)
    {
        _length = length;
        nint pages = MemoryCalls.Map(0, (nuint)length, MemoryCalls.ReadWrite, MemoryCalls.PrivateAnonymous, -1, 0);
        if (pages == -1)
            throw Errno.Failure("mapping memory for keys");
        SetHandle(pages);
        // All three are a second line of defence; an old kernel or a low limit must not keep a volume shut.
        _ = MemoryCalls.Lock(pages, (nuint)length);
        _ = MemoryCalls.Advise(pages, (nuint)length, MemoryCalls.DoNotDump);
        _ = MemoryCalls.Advise(pages, (nuint)length, MemoryCalls.WipeOnFork);
    }

    public override bool IsInvalid => handle == -1;

    /// <summary>The bytes; must not be used after disposal.</summary>
    internal Span<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed || IsInvalid, this);
            return new Span<byte>((void*)handle, _length);
        }
    }

    protected override bool ReleaseHandle()
    {
        Secret.Wipe(new Span<byte>((void*)handle, _length));
        return MemoryCalls.Unmap(handle, (nuint)_length) == 0;
    }
}
