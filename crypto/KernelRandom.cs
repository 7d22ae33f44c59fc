using System;
using System.Runtime.InteropServices;

namespace Overlay.Crypto;

internal static unsafe partial class KernelRandom
{
    /// <summary>Fills from <c>getrandom</c>; never from System.Security.Cryptography, which loads OpenSSL (design §5).</summary>
    public static void Fill(Span<byte> target)
    {
        fixed (byte* start = target)
        {
            for (int done = 0; done < target.Length;)
            {
                nint count = GetRandom(start + done, (nuint)(target.Length - done), 0);
                if (count > 0)
                    done += (int)count;
                else if (Marshal.GetLastPInvokeError() != 4)
                    throw new ErrnoException(Marshal.GetLastPInvokeError(), "getrandom failed");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "getrandom", SetLastError = true)]
    private static partial nint GetRandom(byte* buffer, nuint size, uint flags);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint Map(nint address, nuint size, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int Advise(nint address, nuint size, int advice);
}
