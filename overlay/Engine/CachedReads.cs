using Overlay.Files;

namespace Overlay.Engine;

/// <summary>Which descriptors the filter may read from the block cache by itself.</summary>
internal static unsafe class CachedReads
{
    /// <summary>By descriptor; null in tests, where there is no filter.</summary>
    private static CachedFileData** s_files;
    private static long s_limit;

    internal static void Enable(CachedFileData** files, long limit)
    {
        s_files = files;
        s_limit = limit;
    }

    /// <summary>Reads of fd at an offset are reads of that file; null: of none, or the engine has to be asked each time.</summary>
    internal static void Set(int fd, CachedFile? file)
    {
        if (s_files != null && (uint)fd < (ulong)s_limit)
            System.Threading.Volatile.Write(ref *(nint*)(s_files + fd), (nint)(file is null ? null : file.Data));
    }
}
