using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Engine;

/// <summary>The lock of a shared offset, while it is held. On a read-only volume, where nothing can be locked, nobody holds it.</summary>
internal readonly ref struct OffsetHold
{
    private readonly IFileLock? _lock;

    private OffsetHold(IFileLock taken) => _lock = taken;

    internal static OffsetHold Enter(IFileLock offsetLock)
    {
        try
        {
            offsetLock.Enter();
            return new OffsetHold(offsetLock);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EROFS)
        {
            return default;
        }
    }

    public void Dispose() => _lock?.Exit();
}
