using Overlay.Metadata.Policy;

namespace Overlay.Metadata.Agent;

/// <summary>A file that a key is given for.</summary>
/// <param name="Path">Relative to the volume; "": not known.</param>
internal sealed record NewFile(string Path, FileSettings Settings);
