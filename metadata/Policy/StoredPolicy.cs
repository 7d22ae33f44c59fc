using System;

namespace Overlay.Metadata.Policy;

/// <summary>A version of the policy, as it is in the store.</summary>
/// <param name="Author">User id and program of who set it, as it said.</param>
public sealed record StoredPolicy(long Version, DateTimeOffset Created, string Author, string Text, ReadOnlyMemory<byte> Signature);
