using System;
using System.IO;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Volumes;

/// <summary>Small files and directories of a volume: private to their owner, and on disk before anything relies on them.</summary>
internal static unsafe class VolumeFiles
{
    private const uint PrivateFile = 0x180, PrivateDirectory = 0x1C0;    // 0600, 0700

    /// <summary>Called ahead of every change; tests stop the process there.</summary>
    internal static Action? Changing { get; set; }

    internal static bool Exists(string path) => TryStatus(path, out _);

    /// <summary>A directory itself, or reached by a symbolic link.</summary>
    internal static bool IsDirectory(string path)
    {
        FileStatus status;
        return FileCalls.Stat(FileCalls.CurrentDirectory, path, 0, FileCalls.StatBasic, &status) == 0
            && status.Type == FileStatus.Directory;
    }

    /// <summary>What is at the path, a symbolic link itself if it is one.</summary>
    internal static bool TryStatus(string path, out FileStatus status)
    {
        FileStatus found;
        int result = FileCalls.Stat(FileCalls.CurrentDirectory, path, FileCalls.StatNoFollow, FileCalls.StatBasic, &found);
        if (result < 0 && Errno.Last is not (Errno.NoEntry or Errno.NotDirectory))
            throw Errno.Failure($"looking up {path}");
        status = found;
        return result == 0;
    }

    /// <summary>The directory's path without symbolic links; as it is given where /proc does not tell.</summary>
    internal static string RealPath(string directory)
    {
        int descriptor = FileCalls.Open(directory, FileCalls.PathOnly | FileCalls.CloseOnExec, 0);
        if (descriptor < 0)
            return directory;
        string? path = new FileInfo($"/proc/self/fd/{descriptor.ToString(System.Globalization.CultureInfo.InvariantCulture)}").LinkTarget;
        _ = FileCalls.Close(descriptor);
        return path is ['/', ..] ? path : directory;
    }

    /// <returns>The content, or null if there is no such file.</returns>
    internal static byte[]? TryRead(string path, int maxSize)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read);
            if (file.Length > maxSize)
                throw new VolumeException(VolumeError.ConfigDamaged, $"{path} is far too large.");
            byte[] content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VolumeException(VolumeError.StoreUnavailable, $"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <returns>False if there is something of that name already.</returns>
    internal static bool TryMakeDirectory(string path)
    {
        Changing?.Invoke();
        if (FileCalls.MakeDirectory(path, PrivateDirectory) == 0)
            return true;
        if (Errno.Last == Errno.Exists)
            return false;
        throw Errno.Failure($"making the directory {path}");
    }

    /// <summary>
    /// What is made in this directory from now on stays where it lies on the disk, on a file system that else writes each change to a
    /// new place (btrfs): there a full disk answers a store to a mapped file with SIGBUS, allocated or not.
    /// </summary>
    internal static void KeepInPlace(string directory)
    {
        const int NoCopyOnWrite = 0x00800000;
        int descriptor = FileCalls.Open(directory, FileCalls.ReadOnly | FileCalls.DirectoryOnly | FileCalls.CloseOnExec, 0);
        if (descriptor < 0)
            return;
        int flags;
        if (FileCalls.Request(descriptor, FileCalls.GetFileFlags, &flags) == 0)
        {
            flags |= NoCopyOnWrite;
            _ = FileCalls.Request(descriptor, FileCalls.SetFileFlags, &flags); // most have no such flag
        }
        _ = FileCalls.Close(descriptor);
    }

    /// <summary>A new file of this content, synced; its directory is not.</summary>
    internal static void Write(string path, ReadOnlySpan<byte> content, long length)
    {
        int descriptor = CreateNew(path);
        try
        {
            Changing?.Invoke();
            fixed (byte* data = content)
            {
                // Short writes do not happen to a few bytes, short of a full disk.
                if (FileCalls.Write(descriptor, data, (nuint)content.Length) != content.Length)
                    throw Errno.Failure($"writing {path}");
            }
            if (FileCalls.SetLength(descriptor, length) < 0 || FileCalls.Sync(descriptor) < 0)
                throw Errno.Failure($"writing {path}");
        }
        finally
        {
            _ = FileCalls.Close(descriptor);
        }
    }

    internal static int CreateNew(string path)
    {
        Changing?.Invoke();
        int flags = FileCalls.ReadWrite | FileCalls.Create | FileCalls.Exclusive | FileCalls.CloseOnExec;
        int descriptor = FileCalls.Open(path, flags, PrivateFile);
        return descriptor >= 0 ? descriptor : throw Errno.Failure($"creating {path}");
    }

    internal static void Rename(string from, string to)
    {
        Changing?.Invoke();
        if (FileCalls.Rename(from, to) < 0)
            throw Errno.Failure($"renaming {from} to {to}");
    }

    internal static void RemoveIfThere(string path)
    {
        Changing?.Invoke();
        if (FileCalls.Unlink(path) < 0 && Errno.Last != Errno.NoEntry)
            throw Errno.Failure($"removing {path}");
    }

    /// <summary>Makes names made or changed in the directory, or a file's content, durable.</summary>
    internal static void Sync(string path)
    {
        int descriptor = FileCalls.Open(path, FileCalls.ReadOnly | FileCalls.CloseOnExec, 0);
        if (descriptor < 0)
            throw Errno.Failure($"opening {path}");
        int result = FileCalls.Sync(descriptor);
        int error = Errno.Last;
        _ = FileCalls.Close(descriptor);
        if (result < 0)
            throw Errno.Failure(error, $"syncing {path}");
    }
}
