using System.Runtime.InteropServices;
using Overlay.Crypto;

namespace Overlay.Metadata.Interop;

/// <summary>The error numbers this part of Overlay tells apart (Linux, every architecture we run on).</summary>
internal static class Errno
{
    internal const int NotPermitted = 1, NoEntry = 2, Interrupted = 4, InputOutput = 5, BadDescriptor = 9, TryAgain = 11,
        AccessDenied = 13, Busy = 16, Exists = 17, NoDevice = 19, NotDirectory = 20, Invalid = 22, TooManyFilesOfAll = 23, TooManyFiles = 24, NoSpace = 28, BrokenPipe = 32,
        NameTooLong = 36, DestinationRequired = 89, KeyRejected = 129, Remote = 66, Protocol = 71, TooManyUsers = 87, MessageSize = 90, AddressInUse = 98, ConnectionAborted = 103, ConnectionReset = 104,
        TimedOut = 110, ConnectionRefused = 111, QuotaExceeded = 122;

    internal static int Last => Marshal.GetLastPInvokeError();

    /// <summary>The exception for the call that failed last; <paramref name="what"/> says what was being done.</summary>
    internal static ErrnoException Failure(string what) => Failure(Last, what);

    internal static ErrnoException Failure(int errno, string what) => new(errno, $"{what}: errno {errno}");
}
