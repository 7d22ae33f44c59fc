using System;

namespace Overlay.Crypto;

/// <summary>A fault that a program will see as an errno. One guard at the exports turns it into a negative number.</summary>
public sealed class ErrnoException : Exception
{
    public ErrnoException(int errno, string message)
        : base(message) => Errno = errno;

    /// <summary>A Linux error number, positive.</summary>
    public int Errno { get; }
}
