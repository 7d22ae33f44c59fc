using System;
using Overlay.Crypto;
using Overlay.Engine;

namespace Overlay.Shim;

/// <summary>No exception crosses an export: this is where they become negative errnos (style 6).</summary>
internal static class Guard
{
    internal static long Errno(Exception exception)
    {
        switch (exception)
        {
            // Damage and lost connections are worth a line; the other errnos are a program's daily bread.
            case ErrnoException { Errno: > 0 } known:
                return -known.Errno;
            case OutOfMemoryException:
                return -Files.Errno.ENOMEM;
            default:
                EngineLog.Write("engine", $"a fault of Overlay itself: {exception.GetType().Name}: {exception.Message}");
                return -Files.Errno.EIO;
        }
    }
}
