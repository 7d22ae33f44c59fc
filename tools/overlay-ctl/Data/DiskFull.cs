using System;
using System.IO;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>No room, or no more of a quota: everything else would meet it, too.</summary>
internal static class DiskFull
{
    internal static bool Is(Exception exception) => exception switch
    {
        ErrnoException failure => failure.Errno is Errno.ENOSPC or Calls.QuotaExceeded,
        VolumeException failure => failure.Error == VolumeError.DiskFull,
        IOException failure => failure.HResult is Errno.ENOSPC or Calls.QuotaExceeded,
        _ => false,
    };

    /// <summary>What can go wrong with one file, and is told of it.</summary>
    internal static bool IsOfOneFile(Exception exception) => exception is ErrnoException or IOException or UnauthorizedAccessException or VolumeException;
}
