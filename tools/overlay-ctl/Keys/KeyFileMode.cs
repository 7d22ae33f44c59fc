using System;
using System.IO;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>
/// Whether others may change or read a key file. What Kubernetes mounts (a symbolic link into a directory that is exchanged as a whole, mode
/// 0644 if nobody says otherwise) and systemd's credentials lie in memory; what lies on a disk for others to read is told.
/// </summary>
internal static class KeyFileMode
{
    private const int OthersWrite = 0x2, OthersRead = 0x4;

    internal static unsafe void Check(string path)
    {
        FileStatus status;
        if (FileCalls.Stat(FileCalls.CurrentDirectory, path, 0, FileCalls.StatBasic, &status) < 0 || status.Type != FileStatus.Regular)
            return; // a pipe or device, or nothing: who reads it will say so
        if ((status.Permissions & OthersWrite) != 0)
        {
            throw new VolumeException(VolumeError.UnusableKey,
                $"The key file {path} can be changed by anybody (mode {Convert.ToString(status.Permissions, 8)}): take that right away ('chmod o-w').");
        }
        if ((status.Permissions & OthersRead) != 0 && !IsInMemory(path))
            Console.Error.WriteLine($"overlay-ctl: the key file {path} can be read by anybody (mode {Convert.ToString(status.Permissions, 8)}); 'chmod 600' it.");
    }

    private static bool IsInMemory(string path)
    {
        try
        {
            return new DriveInfo(Path.GetDirectoryName(Posix.RealPath(path) ?? path)!).DriveFormat is "tmpfs" or "ramfs";
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return false; // it is not known; a warning too many does no harm
        }
    }
}
