using System;
using Overlay.Crypto;

namespace Overlay.Metadata.Keys;

/// <summary>A key that is, or is to be, destroyed.</summary>
/// <param name="Suite">Null: there is no such key.</param>
/// <param name="DestroyedBefore">By an earlier run.</param>
internal sealed record ShreddedKey(byte[] FileId, string Path, CipherSuite? Suite, DateTimeOffset? Created, DateTimeOffset? DestroyedBefore)
{
    internal bool IsThere => Suite is not null;
}
