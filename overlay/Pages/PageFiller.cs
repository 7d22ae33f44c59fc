using System;
using System.Runtime.InteropServices;
using Overlay.Files;

namespace Overlay.Pages;

/// <summary>Puts a sealed file's bytes into its new page file.</summary>
internal static unsafe class PageFiller
{
    private const int Step = 256 << 10;

    /// <summary>Does nothing if it was done by somebody else. No page may be mapped before.</summary>
    /// <exception cref="Crypto.ErrnoException">EIO: a block is damaged.</exception>
    internal static void Fill(SealedFile file, PageFile pages)
    {
        file.EnterStill();
        byte* buffer = null;
        try
        {
            if (pages.IsFilled)
                return;
            buffer = (byte*)NativeMemory.Alloc(Step);
            pages.SetLength(0); // somebody may have died half way
            long length = file.Length;
            MemoryRoom.Check(length);
            pages.SetLength(length);
            for (long at = file.SeekData(0); at >= 0 && at < length;)
            {
                long end = file.SeekHole(at);
                while (at < end)
                {
                    Span<byte> part = new(buffer, (int)Math.Min(Step, end - at));
                    int count = file.Read(at, part);
                    if (count == 0)
                        break;
                    pages.Write(at, part[..count]);
                    at += count;
                }
                at = end < length ? file.SeekData(end) : -1;
            }
            pages.MarkFilled();
        }
        finally
        {
            file.ExitStill();
            if (buffer != null)
            {
                new Span<byte>(buffer, Step).Clear();
                NativeMemory.Free(buffer);
            }
        }
    }
}
