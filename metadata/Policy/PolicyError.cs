namespace Overlay.Metadata.Policy;

/// <summary>What is wrong with a document, and where.</summary>
/// <param name="Line">From 1.</param>
public sealed record PolicyError(int Line, string Message);
