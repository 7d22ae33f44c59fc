using System;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Metadata.Volumes;

/// <summary>Keeps two processes from making the same volume at once; gone with the process that holds it.</summary>
internal sealed class DirectoryLock : IDisposable
{
    private int _descriptor;

    private DirectoryLock(int descriptor) => _descriptor = descriptor;

    internal static DirectoryLock Take(string path)
    {
        int flags = FileCalls.ReadOnly | FileCalls.DirectoryOnly | FileCalls.NoFollow | FileCalls.CloseOnExec;
        int descriptor = FileCalls.Open(path, flags, 0);
        if (descriptor < 0)
            throw Errno.Failure($"opening {path}");
        if (FileCalls.Lock(descriptor, FileCalls.LockExclusive | FileCalls.LockNoWait) == 0)
            return new DirectoryLock(descriptor);
        int error = Errno.Last;
        _ = FileCalls.Close(descriptor);
        throw error == Errno.TryAgain
            ? new VolumeException(VolumeError.Busy, $"Another process is making the volume of {path}.")
            : Errno.Failure(error, $"locking {path}");
    }

    public void Dispose()
    {
        // Closing alone leaves it locked while a child just forked elsewhere in this process has not come to exec.
        _ = FileCalls.Lock(_descriptor, FileCalls.Unlock);
        PacketSocket.CloseIfOpen(ref _descriptor);
    }
}
