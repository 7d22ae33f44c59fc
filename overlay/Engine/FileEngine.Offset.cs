using Overlay.Crypto;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>The offset of a description, which is the kernel's (decision 25).</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>A description that another process may have too has one offset for both.</summary>
    private static OffsetHold HoldOffset(OpenFile file) => file.IsShared ? OffsetHold.Enter(file.OffsetLock) : default;

    /// <summary>
    /// Moving the offset before the bytes are moved, and back where they were fewer, takes one call and not two. Only where nobody else can see it
    /// in between, or be left with it if this process is killed.
    /// </summary>
    private static bool MayMoveAhead(in Operation operation) => !operation.File.IsShared && (operation.Flags & Kernel.O_DIRECT) == 0;

    /// <summary>Moves the offset by <paramref name="ahead"/>, or by nothing where it would come out of range; returns what it was.</summary>
    private static long MoveAhead(int fd, ref long ahead)
    {
        long moved = ahead > 0 ? Kernel.Seek(fd, ahead, Kernel.SEEK_CUR) : -1;
        if (moved >= 0)
            return moved - ahead;
        ahead = 0;
        return Offset(fd);
    }

    private static long Offset(int fd)
    {
        long offset = Kernel.Seek(fd, 0, Kernel.SEEK_CUR);
        return offset >= 0 ? offset : throw KernelFile.Failure("the descriptor's offset cannot be read");
    }

    private static void SetOffset(int fd, long offset)
    {
        if (Kernel.Seek(fd, offset, Kernel.SEEK_SET) < 0)
            throw KernelFile.Failure("the descriptor's offset cannot be set");
    }
}
