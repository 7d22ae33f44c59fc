using Overlay.Files;

namespace Overlay.Interop;

/// <summary>What a program's process and the agent do alike with a backing file.</summary>
internal static class BackingCalls
{
    internal static void PunchHole(int fd, long offset, long length)
    {
        // A file system without holes keeps the space: a cost, not a fault.
        const int PunchKeepingSize = Kernel.FALLOC_FL_PUNCH_HOLE | Kernel.FALLOC_FL_KEEP_SIZE;
        if (Kernel.Allocate(fd, PunchKeepingSize, offset, length) != 0 && Kernel.LastError is not (Errno.EOPNOTSUPP or Errno.EINTR))
            throw KernelFile.Failure("punching a hole failed");
    }
}
