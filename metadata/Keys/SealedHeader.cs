namespace Overlay.Metadata.Keys;

/// <summary>What the header of a sealed file says of itself (format §4); not authenticated.</summary>
/// <param name="KeyEpoch">Of the key that has sealed it, modulo <see cref="Epochs"/>.</param>
/// <param name="HasTwoKeys">Its key is being replaced: it cannot be read with one of them.</param>
internal sealed record SealedHeader(byte[] FileId, ulong Sequence, string Path, int KeyEpoch = 0, bool HasTwoKeys = false)
{
    internal const int Epochs = 32;

    /// <summary>Has a store all its keys that has one of this epoch, and perhaps the next one?</summary>
    internal bool IsOpenedBy(long epoch, bool hasNext)
    {
        bool isCurrent = epoch % Epochs == KeyEpoch, isNext = hasNext && (epoch + 1) % Epochs == KeyEpoch;
        return HasTwoKeys ? hasNext && (isCurrent || isNext) : isCurrent || isNext;
    }
}
