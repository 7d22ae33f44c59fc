using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <param name="How">One of <c>AgentMessage.Pages…</c>.</param>
/// <param name="Deputy">The agent of the asking process, or "".</param>
internal sealed record PageRequest(UnlockedVolume Volume, byte[] FileId, byte How, string Deputy);
