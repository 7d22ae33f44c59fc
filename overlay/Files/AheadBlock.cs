using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Files;

/// <summary>One block of an <see cref="AheadJob"/>.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct AheadBlock
{
    public const int Size = 128;

    /// <summary>Its entry's next version: announced before it is worked on, sealed when <see cref="IsDone"/>.</summary>
    public fixed byte Version[Format.FormatConstants.VersionSize];

    /// <summary>Not 0: it is tried whether it shrinks.</summary>
    public int MayCompress;

    /// <summary>Of its stored form, which lies at the block's place in <see cref="AheadJob.Sealed"/>; 0: it could not be sealed.</summary>
    public int StoredLength;

    private int _isDone;

    /// <summary>Set by whoever did it: all else is there to be read.</summary>
    public bool IsDone
    {
        get => Volatile.Read(ref _isDone) != 0;
        set => Volatile.Write(ref _isDone, value ? 1 : 0);
    }
}
