using Overlay.Crypto;

namespace Overlay.Metadata.Policy;

/// <summary>How a new file is stored.</summary>
/// <param name="BlockSizeLog2">12 to 20.</param>
public readonly record struct FileSettings(CipherSuite Suite, bool Compress, int BlockSizeLog2);
