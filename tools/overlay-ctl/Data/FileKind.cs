using System;
using System.Diagnostics;
using Overlay.Format;

namespace Overlay.Ctl.Data;

/// <summary>What a regular file's first bytes say it is. They are not authenticated here: `verify` does that.</summary>
internal enum FileKind
{
    Plain,
    Empty,
    Sealed,

    /// <summary>Of another volume.</summary>
    Foreign,

    /// <summary>It begins as a sealed file does, but its header makes no sense, or is of a later version.</summary>
    Unsound,
}

internal static class FileKinds
{
    internal static FileKind Of(PlainSource file, ReadOnlySpan<byte> volumeId)
    {
        if (file.Status.Size == 0)
            return FileKind.Empty;
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        int count = file.Read(0, head);
        return FileHeader.Parse(head[..count], out _) switch
        {
            HeaderFault.NotSealed => FileKind.Plain,
            HeaderFault.Ok => FileHeader.VolumeIdOf(head).SequenceEqual(volumeId) ? FileKind.Sealed : FileKind.Foreign,
            HeaderFault.ForeignVolume => FileKind.Foreign,
            HeaderFault.Damaged or HeaderFault.UnsupportedVersion or HeaderFault.WrongKey => FileKind.Unsound,
            _ => throw new UnreachableException(),
        };
    }
}
