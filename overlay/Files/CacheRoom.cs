namespace Overlay.Files;

/// <summary>How much memory a block cache may take.</summary>
public interface ICacheRoom
{
    /// <summary>Bytes at most; asked once, when the first block is kept.</summary>
    long Greatest { get; }

    /// <summary>It has become too small for what is read again and again: may it take so many bytes more?</summary>
    bool MayGrowBy(long bytes);
}

/// <summary>A cache that is as large as it is told from the beginning.</summary>
internal sealed class FixedCacheRoom(long capacity) : ICacheRoom
{
    public long Greatest { get; } = capacity;

    public bool MayGrowBy(long bytes) => true;
}
