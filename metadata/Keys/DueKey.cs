using System;
using Overlay.Crypto;

namespace Overlay.Metadata.Keys;

/// <summary>A file's key that is to be replaced.</summary>
internal sealed record DueKey(byte[] FileId, string Path, CipherSuite Suite, DateTimeOffset Created, long Seals);
