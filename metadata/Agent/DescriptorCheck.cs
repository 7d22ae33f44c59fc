using System;
using System.Globalization;
using System.IO;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>What a descriptor that a client sent may be used for.</summary>
internal static unsafe class DescriptorCheck
{
    internal static string PathOf(int descriptor) => $"/proc/self/fd/{descriptor.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>
    /// A regular file below the volume's root that the client could open for writing. Whoever may write a sealed file may be given
    /// its key, and so could read it anyway.
    /// </summary>
    internal static bool IsWritableFileIn(string volumeRoot, int descriptor)
    {
        int flags = FileCalls.Control(descriptor, FileCalls.GetFlags, 0);
        if (flags < 0 || (flags & FileCalls.AccessMode) == FileCalls.ReadOnly || (flags & FileCalls.PathOnly) != 0)
            return false;
        return IsFileIn(volumeRoot, descriptor);
    }

    /// <summary>Likewise one that the client has open for reading alone.</summary>
    internal static bool IsReadableFileIn(string volumeRoot, int descriptor)
    {
        int flags = FileCalls.Control(descriptor, FileCalls.GetFlags, 0);
        return flags >= 0 && (flags & FileCalls.AccessMode) == FileCalls.ReadOnly && (flags & FileCalls.PathOnly) == 0 && IsFileIn(volumeRoot, descriptor);
    }

    /// <summary>A regular file below the volume's root, and not of <c>.overlay</c>.</summary>
    internal static bool IsFileIn(string volumeRoot, int descriptor)
    {
        FileStatus status;
        if (FileCalls.Stat(descriptor, "", FileCalls.StatEmptyPath, FileCalls.StatBasic, &status) != 0 || status.Type != FileStatus.Regular)
            return false;
        // The kernel's own word for where the file is; links in it are resolved.
        string? path = new FileInfo(PathOf(descriptor)).LinkTarget;
        string prefix = volumeRoot.EndsWith('/') ? volumeRoot : volumeRoot + "/";
        return path is not null && path.StartsWith(prefix, StringComparison.Ordinal)
            && !path.StartsWith($"{prefix}{VolumePaths.DirectoryName}/", StringComparison.Ordinal);
    }
}
